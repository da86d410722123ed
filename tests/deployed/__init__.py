"""The platform as it is deployed (`make check-deployed`): bundles, lock and server are those of the cloud."""
