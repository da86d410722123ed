"""The HTTP edge: routes and their endpoints, strict input, problem answers, and the OpenAPI document."""
