"""The guard: what a query from outside may say, decided on the engine's own tree."""
