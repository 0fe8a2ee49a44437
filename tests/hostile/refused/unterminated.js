// {"message": "", "line": 3}
// A file that ends in the middle.
function execute( {
