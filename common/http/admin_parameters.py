"""Parameters of the operators' API."""

from common.http.routes import Parameter, Place

TENANT_ID = Parameter(
    name="tenant_id",
    place=Place.PATH,
    description="The tenant.",
    schema={"type": "string", "pattern": "^[a-z][a-z0-9_]{2,49}$"},
    example="customer_name",
)
TENANT_DATA = Parameter(
    name="data",
    place=Place.QUERY,
    description="What becomes of its dataset: it is kept for the time of grace, or deleted now, for good.",
    schema={"type": "string", "enum": ["keep", "delete"], "default": "keep"},
    example="keep",
)
API_KEY_HASH = Parameter(
    name="api_key_hash",
    place=Place.PATH,
    description="SHA-256 of the key, as the tenant's page and the answer to its creation give it.",
    schema={"type": "string", "pattern": "^[0-9a-f]{64}$"},
    example="5f2e1d0c9b8a79685746352413021f0e0d1c2b3a495867768594a3b2c1d0e9f8",
)

TENANT_PAGES = (
    Parameter(
        name="after",
        place=Place.QUERY,
        description="Only tenants whose IDs come after this one.",
        schema={"type": "string", "pattern": "^[a-z0-9_]{0,50}$", "default": ""},
        example="customer_name",
    ),
    Parameter(
        name="limit",
        place=Place.QUERY,
        description="How many at most.",
        schema={"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
        example=100,
    ),
)
_MOMENT = {"type": "string", "format": "date-time"}
AUDIT_FILTERS = (
    Parameter(
        name="tenant_id",
        place=Place.QUERY,
        description="Only what was done to this tenant.",
        schema={"type": "string", "pattern": "^[a-z][a-z0-9_]{2,49}$"},
        example="customer_name",
    ),
    Parameter(
        name="since",
        place=Place.QUERY,
        description="Only what was done from then on.",
        schema=_MOMENT,
        example="2024-01-18T00:00:00Z",
    ),
    Parameter(
        name="before",
        place=Place.QUERY,
        description="Only what was done before then.",
        schema=_MOMENT,
        example="2024-01-19T00:00:00Z",
    ),
    Parameter(
        name="limit",
        place=Place.QUERY,
        description="How many at most.",
        schema={"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
        example=100,
    ),
)
