"""What service tests share: processes, realms, HTTP, counters, log lines."""
