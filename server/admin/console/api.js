/* The API for people, from /openapi.json. */
