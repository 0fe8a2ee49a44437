// {"codes": [3010]}
// Swallows whatever could interrupt it, in every clause.
function execute() {
  while (true) {
    try { while (true) { try { null.x; } catch (e) { continue; } } }
    catch (e) { continue; }
    finally { continue; }
  }
}
