"""Run the whole platform on one machine: BigQuery, Pub/Sub, Scheduler, and the functions behind a gateway."""
