"""What the server writes down of its own work: the tables behind `tinybird.*`."""
