// Types of everything a Postern script can use beside the language.
// Made by script-api-doc of engine/runner/script_api.def: do not edit.
// The language is ES5 without the browser: "lib": ["es5"].

/** A string stands for its UTF-8. */
type Bytes = string | Uint8Array | ArrayBuffer;

/** bytes: a Uint8Array. */
type Encoding = 'hex' | 'base64' | 'base64url' | 'bytes';

/** timeoutMs shortens the engine's limit for the whole call; clientCert is the id of a key property with certificate and private key in PEM; followRedirects is true unless it is false. */
type HttpOptions = { headers?: { [name: string]: string | string[] }; timeoutMs?: number; clientCert?: string; followRedirects?: boolean };

/** method: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS; GET if there is none. */
type HttpRequest = HttpOptions & { url: string; method?: string; body?: any };

/** Names of headers are in lower case; set-cookie is an array, of others repeated ones are joined with commas. Bytes of the body that are not UTF-8 become U+FFFD. */
type HttpResponse = { status: number; headers: { [name: string]: any }; body: string; json(): any };

/** What HTTP throws. connect: no connection, or it broke. timeout: not complete in time. tls: no trust, or no client certificate. refused: not in the realm's http.allow, or an address that is not public and not listed. too_large: head or body over the limit. limit: too many requests to this host. redirect: too many, or to nowhere. response: what came is no HTTP. */
type HttpError = Error & { name: 'HttpError'; code: 'connect' | 'timeout' | 'tls' | 'refused' | 'too_large' | 'limit' | 'redirect' | 'response' | 'invalid' | 'unavailable' };

/** There is no none. */
type JwtAlgorithm = 'HS256' | 'HS384' | 'HS512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512';

/** Exactly one of jwk, jwks, pem (a public key or certificate) and key (the id of a key property). clockSkew is in seconds, 0 unless given. */
type JwtVerifyOptions = { jwk?: object | string; jwks?: object | string; pem?: string; key?: string; algorithms: JwtAlgorithm[]; issuer?: string; audience?: string; clockSkew?: number };

/** claims is null unless valid. */
type JwtVerdict = { valid: boolean; header: any; claims: any; error: null | 'malformed' | 'algorithm' | 'key' | 'signature' | 'expired' | 'not_yet_valid' | 'issuer' | 'audience' };

/** key is the id of a key property: a private key in PEM or JWK, or for HS the text of a secret. */
type JwtSignOptions = { key: string; alg: JwtAlgorithm; kid?: string; typ?: string };

/** A string salt or hash is its base64 or base64url. */
type Pbkdf2Options = { digest: 'sha256' | 'sha384' | 'sha512'; iterations: number; salt: Bytes; hash: Bytes };

declare const CACHE: {
  /** Keeps a value under a key; what is not a string is kept as JSON. Throws if it was not kept. */
  store(key: string, value: any, ttlSeconds?: number): void;
  /** The value as a string, null if there is none. */
  fetch(key: string): string | null;
  /** Removes the key; true if there was one. */
  delete(key: string): boolean;
  /** fetch and delete in one step: of several callers one gets the value. */
  take(key: string): string | null;
  /** Adds 1 and returns the new number; a missing key counts as 0. */
  increment(key: string, ttlSeconds?: number): number;
};

declare const LOG: {
  /** A line at level trace; each {} of the format takes one argument. */
  trace(format?: any, ...args: any[]): void;
  /** A line at level debug. */
  debug(format?: any, ...args: any[]): void;
  /** A line at level info. */
  info(format?: any, ...args: any[]): void;
  /** A line at level warn. */
  warn(format?: any, ...args: any[]): void;
  /** A line at level error. */
  error(format?: any, ...args: any[]): void;
};

declare const console: {
  /** As LOG.trace. */
  trace(format?: any, ...args: any[]): void;
  /** As LOG.debug. */
  debug(format?: any, ...args: any[]): void;
  /** As LOG.info. */
  info(format?: any, ...args: any[]): void;
  /** As LOG.info. */
  log(format?: any, ...args: any[]): void;
  /** As LOG.warn. */
  warn(format?: any, ...args: any[]): void;
  /** As LOG.error. */
  error(format?: any, ...args: any[]): void;
};

declare const PROPERTIES: {
  /** The property's value, null if there is none; also readable as a field. */
  get(id: string): string | null;
  /** The property's value, where its id is a name. */
  readonly [id: string]: any;
};

declare const java: { util: { UUID: { 
  /** A random UUID (version 4) as a string, for scripts written for the original product. */
  randomUUID(): string;
} } };

interface String {
  /** Whether the strings are equal, for scripts written for the original product. */
  equals(other: any): boolean;
}

declare const HTTP: {
  /** Sends a request and waits for the answer, whatever its status. Throws HttpError where there is none. */
  request(request: HttpRequest): HttpResponse;
  /** HTTP.request with method GET. */
  get(url: string, options?: HttpOptions): HttpResponse;
  /** HTTP.request with method POST. A body that is neither string nor bytes is sent as JSON. */
  post(url: string, body?: any, options?: HttpOptions): HttpResponse;
  /** HTTP.request with method PUT. */
  put(url: string, body?: any, options?: HttpOptions): HttpResponse;
  /** HTTP.request with method PATCH. */
  patch(url: string, body?: any, options?: HttpOptions): HttpResponse;
  /** HTTP.request with method DELETE. */
  delete(url: string, options?: HttpOptions): HttpResponse;
};

declare const CRYPTO: {
  /** A random UUID (version 4). */
  randomUUID(): string;
  /** Up to 4096 random bytes: a Uint8Array, or a string in the encoding. */
  randomBytes(count: number, encoding?: Encoding): any;
  /** The digest, in hex unless another encoding is asked for. Strings are taken as UTF-8 everywhere in CRYPTO. */
  sha256(data: Bytes, encoding?: Encoding): any;
  /** As sha256. */
  sha384(data: Bytes, encoding?: Encoding): any;
  /** As sha256. */
  sha512(data: Bytes, encoding?: Encoding): any;
  /** The MAC, in hex unless another encoding is asked for. */
  hmacSha256(key: Bytes, data: Bytes, encoding?: Encoding): any;
  /** As hmacSha256. */
  hmacSha384(key: Bytes, data: Bytes, encoding?: Encoding): any;
  /** As hmacSha256. */
  hmacSha512(key: Bytes, data: Bytes, encoding?: Encoding): any;
  /** Whether both are the same; takes as long wherever two of one length differ. */
  timingSafeEqual(a: Bytes, b: Bytes): boolean;
  /** RFC 4648 section 4, padded. */
  base64Encode(data: Bytes): string;
  /** A string, which the bytes must be UTF-8 for, or with 'bytes' a Uint8Array. */
  base64Decode(text: string, as?: 'text' | 'bytes'): any;
  /** RFC 4648 section 5, without padding. */
  base64urlEncode(data: Bytes): string;
  /** As base64Decode. */
  base64urlDecode(text: string, as?: 'text' | 'bytes'): any;
  /** In lower case. */
  hexEncode(data: Bytes): string;
  /** As base64Decode. */
  hexDecode(text: string, as?: 'text' | 'bytes'): any;
  /** Checks signature, exp, nbf, iat, and issuer and audience where given. Does not throw for a bad token: look at valid. */
  jwtVerify(token: string, options: JwtVerifyOptions): JwtVerdict;
  /** A signed token. Claims are taken as they are: set iat and exp yourself. */
  jwtSign(claims: object, options: JwtSignOptions): string;
  /** Whether the password is the one of the hash. */
  pbkdf2Verify(password: string, options: Pbkdf2Options): boolean;
  /** Whether the password is the one of the PHC string ($argon2id$v=19$...). */
  argon2idVerify(password: string, encoded: string): boolean;
};

