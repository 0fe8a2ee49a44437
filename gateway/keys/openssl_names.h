/*
 * OpenSSL's headers, with the one name taken out of the way that is also ours:
 * its opaque type ERR_STATE, which nobody uses.
 */
#ifndef POSTERN_OPENSSL_NAMES_H
#define POSTERN_OPENSSL_NAMES_H

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#undef ERR_STATE

#endif
