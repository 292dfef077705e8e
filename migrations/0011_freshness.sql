-- Servers that keep facts in memory ask the history which rows the transactions
-- changed that they have not seen yet.

-- +goose Up

CREATE INDEX history_xid ON history (xid);
