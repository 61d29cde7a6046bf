"""Pipes as endpoints: names to trees, parameters to SQL, SQL to answers."""
