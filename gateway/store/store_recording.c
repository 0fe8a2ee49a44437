/*
 * The table of recordings; see store_recording.h. Not what they hold, nor how
 * many are kept.
 * Callers on any thread; the run_ functions on the writer's.
 */
#include "gateway/store/store_recording.h"

#include "gateway/store/query.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

struct change_list {
	const struct store_recording_change *changes;
	unsigned count;
};

static enum err
put(struct sqlite_connection *connection, const struct store_recording *row)
{
	struct query query = query_of(connection, SQL_RECORDING_PUT);

	query_bind_int(&query, 1, (int64_t)row->number);
	query_bind_text(&query, 2, row->correlation_id);
	query_bind_text(&query, 3, row->idp);
	query_bind_bytes(&query, 4, row->release);
	query_bind_int(&query, 5, row->kind);
	query_bind_int(&query, 6, row->summary_len);
	query_bind_bytes(&query, 7, row->record);
	query_bind_bytes(&query, 8, row->recording);
	return query_run(&query);
}

static enum err
forget(struct sqlite_connection *connection, uint64_t number)
{
	struct query query = query_of(connection, SQL_RECORDING_DELETE);

	query_bind_int(&query, 1, (int64_t)number);
	return query_run(&query);
}

static enum err
run_change(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	const struct change_list *list = user;
	enum err err = OK;

	for (unsigned i = 0; i < list->count && err == OK; i++) {
		const struct store_recording_change *change = &list->changes[i];

		err = change->put == NULL ? forget(connection, change->number)
					  : put(connection, change->put);
	}
	return err;
}

enum err
store_recording_change(struct store *store,
    const struct store_recording_change *changes, unsigned count)
{
	struct change_list list = {changes, count};

	return store_perform(store, run_change, &list);
}

static struct store_recording
row_of(struct query *query)
{
	return (struct store_recording){
	    .number = (uint64_t)query_int(query, 0),
	    .correlation_id = query_text(query, 1),
	    .idp = query_text(query, 2),
	    .release = query_bytes(query, 3),
	    .kind = query_int(query, 4),
	    .summary_len = query_int(query, 5),
	    .record = query_bytes(query, 6),
	    .recording = query_bytes(query, 7),
	};
}

enum err
store_recording_each(struct store *store,
    enum err (*each)(void *user, const struct store_recording *row), void *user)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_RECORDING_EACH);
	struct store_recording row;
	enum err err;

	while ((err = query_row(&query)) == OK) {
		row = row_of(&query);
		if (row.correlation_id == NULL || row.idp == NULL)
			err = ERR_CORRUPT;
		else
			err = each(user, &row);
		if (err != OK)
			break;
	}
	query_end(&query);
	store_reader_give(store, connection);
	return err == ERR_NOT_FOUND ? OK : err;
}
