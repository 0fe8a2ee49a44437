// {"answer": "fine", "claims_absent": ["active", "scope", "client_id", "acr", "nonce", "azp"]}
// Claims of the protocol are not a script's to set.
function execute() {
  return {status: 2000, responsePayload: "fine", user: {id: "x",
    iss: "https://evil.example", sub: "admin", aud: "other", exp: 9999999999,
    iat: 1, nbf: 1, jti: "1", azp: "other", nonce: "n", auth_time: 1, acr: "9",
    client_id: "other", scope: "admin", active: true}};
}
