"""A client that knows nothing of the contract: it asks the port what it serves, calls it, and prints what it understood.

Usage: generic.py HOST:PORT FOLDER

FOLDER holds ca.pem, and cert.pem with key.pem where a certificate is shown; calls.json lists what to call: for each
call its method and its messages, as JSON or as the bytes of a file. Prints one JSON line for each answer.
"""

import base64
import json
import pathlib
import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

DETAILS = [
    error_details_pb2.ErrorInfo,
    error_details_pb2.BadRequest,
    error_details_pb2.RetryInfo,
    error_details_pb2.LocalizedMessage,
]


def refusal(error):
    told = {"code": error.code().name, "text": error.details()}
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        for kind in DETAILS:
            if detail.Is(kind.DESCRIPTOR):
                known = kind()
                detail.Unpack(known)
                told[kind.DESCRIPTOR.name] = json_format.MessageToDict(known)
    return told


def filled(kind, content, folder):
    """A message whose bytes fields may be the contents of files: {"chunk": {"file": NAME}}."""

    def read(value):
        if isinstance(value, dict) and "file" in value:
            return base64.b64encode((folder / value["file"]).read_bytes()).decode()
        return {name: read(one) for name, one in value.items()} if isinstance(value, dict) else value

    return json_format.ParseDict(read(content), kind())


def call(channel, pool, folder, wanted):
    service, name = wanted["method"].split("/")
    method = pool.FindServiceByName(service).methods_by_name[name]
    asks, answers = (message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type))
    requests = [filled(asks, message, folder) for message in wanted["messages"]]
    if "raw" in wanted:
        encode, requests = bytes.fromhex, [wanted["raw"]]
    else:
        encode = asks.SerializeToString
    path = "/" + wanted["method"]
    streams = {
        (False, False): (channel.unary_unary, requests[0]),
        (True, False): (channel.stream_unary, iter(requests)),
        (False, True): (channel.unary_stream, requests[0]),
        (True, True): (channel.stream_stream, iter(requests)),
    }
    make, request = streams[(method.client_streaming, method.server_streaming)]
    invoke = make(path, request_serializer=encode, response_deserializer=answers.FromString)
    try:
        answer = invoke(request, timeout=20)
        answer = list(answer) if method.server_streaming else [answer]
        return {"answer": [json_format.MessageToDict(one) for one in answer]}
    except grpc.RpcError as error:
        return refusal(error)


def main():
    address, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    part = lambda name: (folder / name).read_bytes() if (folder / name).exists() else None
    credentials = grpc.ssl_channel_credentials(part("ca.pem"), part("key.pem"), part("cert.pem"))
    with grpc.secure_channel(address, credentials) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        state = health.Check(health_pb2.HealthCheckRequest(), timeout=20).status
        print(json.dumps({"health": health_pb2.HealthCheckResponse.ServingStatus.Name(state)}))
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = descriptor_pool.DescriptorPool(database)
        print(json.dumps({"services": sorted(database.get_services())}))
        for wanted in json.loads((folder / "calls.json").read_text()):
            print(json.dumps(call(channel, pool, folder, wanted)))


if __name__ == "__main__":
    main()
