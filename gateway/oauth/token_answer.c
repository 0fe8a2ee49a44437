/*
 * Writing and counting what the token endpoint issues; see token_answer.h.
 * complete's answer has a form of its own (grant.c).
 */
#include "gateway/oauth/token_answer.h"

#include "common/json_text.h"
#include "common/metric.h"

void
token_answer_append(struct buf *body, const struct token_answer *answer)
{
	const struct store_token *row = &answer->access->row;
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_str(
	    body, &first, "access_token", buf_span(&answer->access->text));
	json_append_member_str(body, &first, "token_type", span_str("bearer"));
	json_append_member_int(
	    body, &first, "expires_in", row->expires_at - row->issued_at);
	metric_count(M_TOKENS_ISSUED, "access", NULL);
	if (answer->refresh_token != NULL) {
		json_append_member_str(body, &first, "refresh_token",
		    span_str(answer->refresh_token));
		metric_count(M_TOKENS_ISSUED, "refresh", NULL);
	}
	json_append_member_str(body, &first, "scope", span_str(answer->scope));
	if (answer->id_token.len > 0) {
		json_append_member_str(
		    body, &first, "id_token", answer->id_token);
		metric_count(M_TOKENS_ISSUED, "id", NULL);
	}
	buf_append_char(body, '}');
}
