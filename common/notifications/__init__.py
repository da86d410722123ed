"""Telling people how runs go: by webhook, Slack, Google Chat and e-mail, as a pipeline's file asks for it."""
