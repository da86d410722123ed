"""What queries cost: on-demand prices by location, and what tenants have used of them."""
