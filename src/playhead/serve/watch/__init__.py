"""The watchdog: looks at the server's own vital signs and says what is out of order."""
