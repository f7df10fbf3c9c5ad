"""Asks grpc.health.v1 for one service and ends as grpc_health_probe does: 0 serving, 2 no connection, 3 the call
failed, 4 not serving.

Usage: health.py HOST:PORT CA.PEM [SERVICE]
"""

import pathlib
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def main():
    address, authority = sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes()
    service = sys.argv[3] if len(sys.argv) > 3 else ""
    with grpc.secure_channel(address, grpc.ssl_channel_credentials(authority)) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=5)
        except grpc.FutureTimeoutError:
            return 2
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=service), timeout=5
            )
        except grpc.RpcError as error:
            print(error.code().name)
            return 3
        return 0 if answer.status == health_pb2.HealthCheckResponse.SERVING else 4


sys.exit(main())
