package api

import (
	"context"

	"github.com/vedettehq/vedette/rpc/wire"
)

// boardMethods registers the methods for boards.
func (a *API) boardMethods(m *methods) {
	handle(m, wire.BoardsList, a.boardList)
	handle(m, wire.BoardsGet, a.Boards.Get)
	handle(m, wire.BoardsPut, a.Boards.Put)
	handle(m, wire.BoardsDelete, a.boardDelete)
}

func (a *API) boardList(context.Context, wire.Empty) (wire.BoardsResult, error) {
	return wire.BoardsResult{Boards: a.Boards.List()}, nil
}

func (a *API) boardDelete(ctx context.Context, p wire.BoardDeleteParams) (wire.Empty, error) {
	return wire.Empty{}, a.Boards.Delete(ctx, p)
}
