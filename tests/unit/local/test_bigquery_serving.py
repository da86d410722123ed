import socket

from google.cloud import bigquery

from local.bigquery import LocalBigQuery
from tests.unit.local.conftest import start_endless


def test_every_cancelled_job_stops(client: bigquery.Client) -> None:
    for job_id in ("first", "second"):
        job = start_endless(client, job_id)
        client.cancel_job(job.job_id)
        stopped = client.get_job(job.job_id)
        assert (stopped.state, stopped.error_result["reason"]) == ("DONE", "stopped")


def test_an_answer_does_not_wait_for_a_delayed_acknowledgement(
    server: LocalBigQuery, client: bigquery.Client
) -> None:
    list(client.list_datasets())
    connections = [connection.transport for connection in server._server.server_state.connections]
    assert connections
    for transport in connections:
        connected = transport.get_extra_info("socket")
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
