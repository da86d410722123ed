"""Bind plain functions to the methods of gRPC services, without generated code.

The client libraries wrap their classes by proto-plus; underneath each lies the class that protobuf itself
made, which gRPC reads and writes.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import grpc

from local.refusals import Refusal, unimplemented

type Handler = grpc.RpcMethodHandler[Any, Any]
type Unary = Callable[[Any], Any]
type Waiting = Callable[[Any, grpc.ServicerContext], Any]


def raw(wrapper: Any) -> Any:
    """Return protobuf's own class under one of proto-plus."""
    return type(wrapper.pb(wrapper()))


def unary(request: Any, function: Unary) -> Handler:
    """Bind a function of one raw request and one raw response; a refusal becomes the call's status."""
    return waiting(request, lambda message, _: function(message))


def waiting(request: Any, function: Waiting) -> Handler:
    """Bind a function that waits, and therefore asks its call whether the caller still does."""

    def serve(message: Any, context: grpc.ServicerContext) -> Any:
        try:
            return function(message, context)
        except Refusal as refusal:
            _abort(context, refusal)

    return grpc.unary_unary_rpc_method_handler(
        serve, request.FromString, lambda response: response.SerializeToString()
    )


def services(methods: Mapping[str, Mapping[str, Handler]]) -> list[grpc.GenericRpcHandler]:
    """Serve methods by name of their service; every other one is UNIMPLEMENTED, and the answer says so."""
    served = [
        grpc.method_handlers_generic_handler(service, dict(bound)) for service, bound in methods.items()
    ]
    return [*served, _Unserved(methods)]


class _Unserved(grpc.GenericRpcHandler):
    """Answers what nothing else does, streams too, with what there is instead."""

    def __init__(self, methods: Mapping[str, Mapping[str, Handler]]) -> None:
        self._methods = methods

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        service, _, method = handler_call_details.method.removeprefix("/").partition("/")
        there_is = ", ".join(self._methods.get(service, ())) or "nothing of that service"
        refusal = unimplemented(f"{method} of {service} is not served on this machine; served is {there_is}")

        def refuse(_: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            _abort(context, refusal)

        return grpc.stream_stream_rpc_method_handler(refuse)


def _abort(context: grpc.ServicerContext, refusal: Refusal) -> NoReturn:
    context.abort(refusal.code, str(refusal))
