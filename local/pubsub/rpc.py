"""Bind plain functions to the methods of a gRPC service, without generated code."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import grpc

from local.pubsub.refusals import Refusal

type Handler = grpc.RpcMethodHandler[Any, Any]
type Unary = Callable[[Any], Any]
type Waiting = Callable[[Any, grpc.ServicerContext], Any]
type Streaming = Callable[[Iterator[Any], grpc.ServicerContext], Iterator[Any]]


def unary(request: Any, response: Any, function: Unary) -> Handler:
    """Bind a function of one request and one response; a refusal becomes the call's status."""
    return waiting(request, response, lambda message, _: function(message))


def waiting(request: Any, response: Any, function: Waiting) -> Handler:
    """Bind a function that waits, and therefore asks its call whether the caller still does."""

    def serve(message: Any, context: grpc.ServicerContext) -> Any:
        try:
            return function(message, context)
        except Refusal as refusal:
            _abort(context, refusal)

    return grpc.unary_unary_rpc_method_handler(serve, request.FromString, response.SerializeToString)


def streaming(request: Any, response: Any, function: Streaming) -> Handler:
    """Bind a function of a stream of requests and a stream of responses."""

    def serve(messages: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        try:
            yield from function(messages, context)
        except Refusal as refusal:
            _abort(context, refusal)

    return grpc.stream_stream_rpc_method_handler(serve, request.FromString, response.SerializeToString)


def _abort(context: grpc.ServicerContext, refusal: Refusal) -> NoReturn:
    context.abort(refusal.code, str(refusal))
