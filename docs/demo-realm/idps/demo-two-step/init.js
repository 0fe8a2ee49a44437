/*
 * First step: makes a challenge, keeps it in CACHE under a fresh id, and hands
 * both out. The answer that `complete` expects is the challenge backwards, so
 * that the demo works with nothing but curl.
 *
 *   responsePayload   what the caller gets as "data"
 *   registrationData  what `complete` gets back; the caller never sees it
 */
var CHALLENGE_LIFE_SECONDS = 120;

/* `length` characters that are easy to read aloud. Math.random is seeded from
 * the kernel for every execution. */
function randomText(length) {
  var alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  var text = "";
  while (text.length < length) {
    text += alphabet.charAt(Math.floor(Math.random() * alphabet.length));
  }
  return text;
}

function execute(requestPayload) {
  var id = java.util.UUID.randomUUID().toString();
  var challenge = randomText(8);

  CACHE.store("challenge:" + id, challenge, CHALLENGE_LIFE_SECONDS);
  LOG.info("challenge {} made", id);
  return {
    status: 2000,
    responsePayload: {
      challenge: challenge,
      hint: "answer with the challenge backwards"
    },
    registrationData: { challengeId: id }
  };
}
