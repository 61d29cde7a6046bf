"""The ClickHouse HTTP interface, for reading: what BI tools and ClickHouse's own clients connect to."""
