/*
 * What a script said of a user, checked and turned into a subject and claims
 * (SPEC 2). The script's word is hostile: it can never set a protocol claim or
 * another IdP's subject.
 */
#ifndef POSTERN_SUBJECT_H
#define POSTERN_SUBJECT_H

#include "gateway/realm/realm.h"
#include "common/arena.h"

#define SUBJECT_BYTES_MAX 255        /* OIDC Core section 2, sub */
#define USER_BYTES_MAX    (8 * 1024) /* `user` as JSON text */
#define USER_DEPTH_MAX    8

/* All in the arena. */
struct subject {
	const char *sub;
	/* The members of claims, comma-separated, without braces; "" if none:
	 * they are written into id_token, UserInfo and introspection. */
	struct span claims;
	struct span amr;     /* JSON array; absent if the script gave none */
	const char *dropped; /* names of reserved members, or NULL */
};

/*
 * `user` is the JSON text of the script's `user`; absent where it gave none.
 * ERR_INVALID: `detail` says what is wrong in one sentence (SCRIPT_BAD_RESULT).
 */
enum err subject_read(const struct realm *realm, const struct realm_idp *idp,
    struct span user, struct arena *arena, struct subject *subject_r,
    struct err_detail *detail) MUST_USE;

#endif
