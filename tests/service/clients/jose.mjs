// Verifies JWTs of a gateway with jose against its remote key set.
// Reads what it is given as JSON from stdin; prints what it saw as JSON.
import { readFileSync } from 'node:fs'
import * as jose from 'jose'

const given = JSON.parse(readFileSync(0, 'utf8'))
const keys = jose.createRemoteJWKSet(new URL(given.jwks_uri))

async function verify({ token, ...expected }) {
  try {
    const { payload, protectedHeader } =
      await jose.jwtVerify(token, keys, expected)
    return { payload, header: protectedHeader }
  } catch (error) {
    return { error: error.code ?? String(error) }
  }
}

const seen = []
for (const token of given.tokens) {
  seen.push(await verify(token))
}
console.log(JSON.stringify(seen))
