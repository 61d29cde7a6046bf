-- What only CMCD says stands last: rows of requests without it leave those columns out, as a whole.
ALTER TABLE playhead.cdn_requests MODIFY COLUMN IF EXISTS session_id String AFTER request_id;
ALTER TABLE playhead.cdn_requests MODIFY COLUMN IF EXISTS extra String CODEC(ZSTD(1)) AFTER session_id;
