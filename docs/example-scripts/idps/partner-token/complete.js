function execute(requestPayload) {
  var verdict = CRYPTO.jwtVerify(String(requestPayload), {
    key: "partner_secret",
    algorithms: ["HS256"],
    issuer: "https://partner.example",
    audience: "postern",
    clockSkew: 30
  });
  if (!verdict.valid) {
    LOG.info("the partner's token is refused: {}", verdict.error);
    return { status: 4010, responsePayload: { message: verdict.error } };
  }
  if (verdict.claims.exp === undefined) {
    return { status: 4010, responsePayload: { message: "expired" } };
  }
  return {
    status: 2000,
    user: { id: CRYPTO.sha256("partner|" + verdict.claims.sub), amr: ["pwd"] }
  };
}
