// panva's oidc-provider with its own in-memory adapter, on PORT; nothing is stored on disk.
// POST /token grant_type=client_credentials             -> opaque access token
//   the same with resource=urn:bench:jwt                -> JWT access token (RFC 9068)
//   grant_type=urn:bench:custom-registration            -> opaque access + refresh token and
//   id_token, for a subject made as the seed's complete script makes it (no sandbox here)
import crypto from 'node:crypto';
import cluster from 'node:cluster';
import Provider from 'oidc-provider';

const { PORT = '18120', WORKERS = '1', ALG = 'ES256' } = process.env;
const GRANT = 'urn:bench:custom-registration';

async function main(jwks) {
  const provider = new Provider('http://127.0.0.1:' + PORT, {
    jwks,
    clients: [{
      client_id: 'client', client_secret: 'secret', token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials', GRANT], redirect_uris: [], response_types: [],
      scope: 'openid read write', id_token_signed_response_alg: ALG,
    }],
    scopes: ['openid', 'read', 'write'],
    claims: { openid: ['sub', 'amr', 'firstName', 'lastName', 'email'] },
    conformIdTokenClaims: false,
    ttl: { ClientCredentials: 3600, AccessToken: 3600, RefreshToken: 86400, IdToken: 3600, Grant: 86400 },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => false,
        getResourceServerInfo: (ctx, resource) => ({ scope: 'read write', accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg: ALG } }, audience: resource }),
      },
    },
    cookies: { keys: ['bench'] },
  });
  provider.registerGrantType(GRANT, async (ctx) => {
    const { AccessToken, RefreshToken, IdToken, Grant } = provider;
    const { client } = ctx.oidc;
    const scope = ctx.oidc.params.scope;
    const accountId = 'userId_' + Date.now();
    const grant = new Grant({ accountId, clientId: client.clientId });
    grant.addOIDCScope(scope);
    const grantId = await grant.save();
    ctx.oidc.entity('Grant', grant);
    ctx.oidc.entity('Account', { accountId, claims: () => ({ sub: accountId }) });
    const common = { accountId, client, grantId, gty: GRANT, scope };
    const at = new AccessToken(common);
    ctx.oidc.entity('AccessToken', at);
    const access_token = await at.save();
    const rt = new RefreshToken(common);
    ctx.oidc.entity('RefreshToken', rt);
    const refresh_token = await rt.save();
    const idt = new IdToken({ sub: accountId, amr: ['mfa', 'pwd'], firstName: 'John', lastName: 'Doe', email: 'john.doe@example.com' }, { ctx });
    idt.scope = 'openid';
    idt.set('at_hash', access_token);
    const id_token = await idt.issue({ use: 'idtoken' });
    ctx.body = { access_token, refresh_token, id_token, expires_in: at.expiration, token_type: at.tokenType, scope };
  }, ['scope'], []);
  const server = provider.listen(+PORT, '127.0.0.1', 1024);
  server.keepAliveTimeout = 60000;
}

if (+WORKERS > 1 && cluster.isPrimary) {
  for (let i = 0; i < +WORKERS; i++) cluster.fork();
  process.on('SIGTERM', () => { for (const w of Object.values(cluster.workers)) w.kill(); process.exit(0); });
} else {
  const jwk = (type, opts, alg) => ({ ...crypto.generateKeyPairSync(type, opts).privateKey.export({ format: 'jwk' }), alg, use: 'sig' });
  await main({ keys: [jwk('ec', { namedCurve: 'P-256' }, 'ES256'), jwk('rsa', { modulusLength: 2048 }, 'RS256')] });
}
