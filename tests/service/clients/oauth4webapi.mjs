// Drives a gateway with oauth4webapi, checks as strict as they come.
// Reads what it is given as JSON from stdin; prints what it saw as JSON.
import { readFileSync } from 'node:fs'
import * as oauth from 'oauth4webapi'

const given = JSON.parse(readFileSync(0, 'utf8'))
const options = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(given.issuer)
const app = { client_id: given.client_id,
  id_token_signed_response_alg: given.id_token_alg }
const api = { client_id: given.api_client_id }
const basic = oauth.ClientSecretBasic(given.secret)
const post = oauth.ClientSecretPost(given.secret)

async function discover(algorithm) {
  const answer = await oauth.discoveryRequest(issuer, { ...options, algorithm })
  return oauth.processDiscoveryResponse(issuer, answer)
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

async function refresh(as, authentication, token) {
  const answer = await oauth.refreshTokenGrantRequest(as, app, authentication,
    token, options)
  const result = await oauth.processRefreshTokenResponse(as, app, answer)
  await oauth.validateApplicationLevelSignature(as, answer, options)
  return result
}

async function userinfo(as, token, subject) {
  const answer = await oauth.userInfoRequest(as, app, token, options)
  return oauth.processUserInfoResponse(as, app, subject, answer)
}

async function introspect(as, client, token, requestJwtResponse = false) {
  const answer = await oauth.introspectionRequest(as, client, basic, token,
    { ...options, requestJwtResponse })
  const type = answer.headers.get('content-type')
  const result = await oauth.processIntrospectionResponse(as, client, answer)
  if (requestJwtResponse) {
    await oauth.validateApplicationLevelSignature(as, answer, options)
  }
  return { type, ...result }
}

const seen = {}
const as = await discover('oidc')
seen.issuers = [as.issuer, (await discover('oauth2')).issuer]
const first = await refresh(as, basic, given.refresh_token)
const second = await refresh(as, post, first.refresh_token)
seen.claims = oauth.getValidatedIdTokenClaims(second)
const subject = seen.claims.sub
seen.userinfo = await userinfo(as, second.access_token, subject)
seen.introspection = await introspect(as, api, second.access_token)
seen.signed_introspection = await introspect(as, api, second.access_token, true)

if (given.audience) {
  const request = new Request('https://api.example.com/thing', {
    headers: { authorization: `Bearer ${second.access_token}` } })
  seen.access_claims = await oauth.validateJwtAccessToken(as, request,
    given.audience, options)
  seen.wrong_audience = await failure(
    oauth.validateJwtAccessToken(as, request, 'https://else.example', options))
}

if (given.machine_client_id) {
  const machine = { client_id: given.machine_client_id }
  const answer = await oauth.clientCredentialsGrantRequest(as, machine, basic,
    { scope: 'read' }, options)
  seen.machine = await oauth.processClientCredentialsResponse(as, machine,
    answer)
}

await oauth.processRevocationResponse(await oauth.revocationRequest(as, app,
  basic, second.access_token, options))
seen.after = {
  introspection: await introspect(as, api, second.access_token),
  userinfo: await failure(userinfo(as, second.access_token, subject)),
}
await oauth.processRevocationResponse(await oauth.revocationRequest(as, app,
  post, second.refresh_token,
  { ...options, additionalParameters: { token_type_hint: 'refresh_token' } }))
seen.after.refresh = await failure(refresh(as, basic, second.refresh_token))
console.log(JSON.stringify(seen))
