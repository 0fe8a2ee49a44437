// Drives a gateway with openid-client, checks as strict as it comes (and ID
// Tokens' signatures on top, which it leaves to TLS by default).
// Reads what it is given as JSON from stdin; prints what it saw as JSON.
import { readFileSync } from 'node:fs'
import * as client from 'openid-client'

const given = JSON.parse(readFileSync(0, 'utf8'))
const execute = [client.allowInsecureRequests]

async function configuration(id, authentication, algorithm) {
  const config = await client.discovery(new URL(given.issuer), id, undefined,
    authentication, { execute, algorithm })
  client.enableNonRepudiationChecks(config)
  return config
}

async function failure(promise) {
  try {
    await promise
    return 'none'
  } catch (error) {
    return error.error ?? error.cause?.[0]?.parameters?.error ??
      `${error.code} ${error.message}`
  }
}

const seen = {}
const config = await configuration(given.client_id,
  client.ClientSecretBasic(given.secret), 'oidc')
const same = await configuration(given.client_id,
  client.ClientSecretPost(given.secret), 'oauth2')
seen.issuers = [config.serverMetadata().issuer, same.serverMetadata().issuer]

const first = await client.refreshTokenGrant(config, given.refresh_token)
seen.claims = first.claims()
seen.expires_in = first.expiresIn()
const second = await client.refreshTokenGrant(same, first.refresh_token)
seen.rotated = new Set([given.refresh_token, first.refresh_token,
  second.refresh_token]).size

const subject = seen.claims.sub
seen.userinfo = await client.fetchUserInfo(config, second.access_token, subject)
seen.wrong_subject = await failure(
  client.fetchUserInfo(config, second.access_token, 'somebody else'))

const api = await configuration(given.api_client_id,
  client.ClientSecretBasic(given.secret), 'oauth2')
seen.introspection = await client.tokenIntrospection(api, second.access_token)

const keyed = await configuration(given.keyed_client_id,
  client.PrivateKeyJwt({
    key: await crypto.subtle.importKey('jwk', given.key,
      { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']),
    kid: given.key.kid,
  }), 'oauth2')
seen.keyed = await client.clientCredentialsGrant(keyed, { scope: 'read' })

await client.tokenRevocation(config, second.refresh_token)
seen.after = {
  introspection: await client.tokenIntrospection(api, second.access_token),
  userinfo: await failure(
    client.fetchUserInfo(config, second.access_token, subject)),
  refresh: await failure(
    client.refreshTokenGrant(config, second.refresh_token)),
}
console.log(JSON.stringify(seen))
