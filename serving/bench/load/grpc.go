package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// rpcExchanger makes unary calls with gRPC's own Go client, on a connection of its own.
type rpcExchanger struct {
	connection *grpc.ClientConn
	rpc        string
	request    []byte
	failure    error
}

// verbatim hands messages on as the bytes they are: the message is serialised once, beforehand.
type verbatim struct{}

func (verbatim) Name() string                      { return "proto" }
func (verbatim) Marshal(value any) ([]byte, error) { return *value.(*[]byte), nil }
func (verbatim) Unmarshal(data []byte, value any) error {
	*value.(*[]byte) = data
	return nil
}

func newRPC(chosen settings) *rpcExchanger {
	connection, err := grpc.NewClient("passthrough:///"+chosen.target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(verbatim{}), grpc.MaxCallRecvMsgSize(64<<20)),
		grpc.WithSharedWriteBuffer(true), grpc.WithDisableRetry(), grpc.WithDisableServiceConfig())
	return &rpcExchanger{connection: connection, rpc: chosen.rpc, request: chosen.body, failure: err}
}

func (exchange *rpcExchanger) exchange(deadline time.Time) ([]byte, error) {
	if exchange.failure != nil {
		return nil, exchange.failure
	}
	call, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	var answer []byte
	if err := exchange.connection.Invoke(call, exchange.rpc, &exchange.request, &answer); err != nil {
		return nil, fmt.Errorf("gRPC %s", status.Code(err))
	}
	return answer, nil
}

func (exchange *rpcExchanger) close() {
	if exchange.connection != nil {
		exchange.connection.Close()
	}
}
