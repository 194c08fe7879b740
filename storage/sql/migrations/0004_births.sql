-- What Sparkplug edge nodes and devices said at their birth: data sent later may name a metric
-- by a number alone. No values.

CREATE TABLE pipeline.birth (
    group_id  text NOT NULL,
    edge_node text NOT NULL,
    device    text NOT NULL,
    born_at   timestamptz NOT NULL,
    ended_at  timestamptz,
    bdseq     numeric,
    name      text[] NOT NULL,
    alias     numeric[] NOT NULL,
    datatype  int4[] NOT NULL,
    PRIMARY KEY (group_id, edge_node, device, born_at)
);
COMMENT ON TABLE pipeline.birth IS
    'one row per certificate that differs from the one before, so that a message is read by the certificate of its own time';
COMMENT ON COLUMN pipeline.birth.device IS 'empty: the edge node itself';
COMMENT ON COLUMN pipeline.birth.born_at IS 'reception of the certificate, not what its sender''s clock says';
COMMENT ON COLUMN pipeline.birth.ended_at IS 'reception of its death or of the next one; NULL: it holds';
COMMENT ON COLUMN pipeline.birth.bdseq IS 'which connection of the edge node it belongs to; its death carries the same';
COMMENT ON COLUMN pipeline.birth.alias IS 'as long as name; NULL: no alias. Numbers of 64 bits without sign';
COMMENT ON COLUMN pipeline.birth.datatype IS 'as long as name; Sparkplug''s numbers';
