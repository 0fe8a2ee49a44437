/* The link, client end; see link_client.h. */
#include "proto/link_client.h"
