/*
 * OpenSSL's headers, with the one name taken out of the way that is also ours:
 * its opaque type ERR_STATE, which nobody uses.
 */
#ifndef POSTERN_OPENSSL_HEADERS_H
#define POSTERN_OPENSSL_HEADERS_H

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#undef ERR_STATE

#endif
