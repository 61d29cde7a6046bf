"""The API described as OpenAPI 3.1: `GET /openapi.json`, made once from the lists of this folder."""
