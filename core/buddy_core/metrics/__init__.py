"""The numbers: what is recorded, kept in buckets of time, and looked at through windows."""
