"""`playhead doctor`: looks at a server from outside, and at its data folder, and says what to mend."""
