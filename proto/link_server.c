/* The link, server end; see link_server.h. */
#include "proto/link_server.h"
