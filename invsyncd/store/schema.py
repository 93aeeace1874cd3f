"""The tables, as numbered steps: step n brings a database from version n to n + 1.

A step that has been released is never edited; a change is a new step. `wanted` beside `available`
and `shown` is computed from the merged state in the same transaction. What is still owed is
therefore one indexed query, and never a queue.
"""

from __future__ import annotations

APPLICATION_ID = 0x696E7673  # "invs": tells our file from any other SQLite file

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE location (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        active INTEGER NOT NULL,
        managed INTEGER NOT NULL,
        watermark INTEGER,          -- server second up to which everything was read
        read_at INTEGER             -- our second of the last good reading
    ) STRICT;

    CREATE TABLE item (
        id INTEGER PRIMARY KEY,
        sku TEXT NOT NULL,
        tracked INTEGER NOT NULL,
        continues INTEGER NOT NULL,
        product_types TEXT NOT NULL,  -- JSON array of names
        mutable INTEGER NOT NULL DEFAULT 1,
        standing TEXT NOT NULL,
        pool INTEGER
    ) STRICT;
    CREATE INDEX item_by_sku ON item (sku);
    CREATE INDEX item_held ON item (id) WHERE standing = 'held';

    CREATE TABLE level (
        item INTEGER NOT NULL,
        location INTEGER NOT NULL,
        available INTEGER NOT NULL,
        committed INTEGER NOT NULL,
        on_hand INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        active INTEGER NOT NULL,
        confirmed_at INTEGER NOT NULL DEFAULT 0,
        doubtful INTEGER NOT NULL DEFAULT 0,
        wanted INTEGER,
        PRIMARY KEY (item, location)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX level_pending ON level (item, location)
        WHERE wanted IS NOT NULL AND wanted <> available;
    CREATE INDEX level_doubtful ON level (item) WHERE doubtful = 1;

    CREATE TABLE attempt (
        key TEXT PRIMARY KEY,
        pass_id TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE attempt_row (
        item INTEGER NOT NULL,
        location INTEGER NOT NULL,
        key TEXT NOT NULL REFERENCES attempt (key) ON DELETE CASCADE,
        before INTEGER NOT NULL,
        after INTEGER NOT NULL,
        PRIMARY KEY (item, location)  -- a level has at most one attempt in flight
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX attempt_row_by_key ON attempt_row (key);

    CREATE TABLE listing (
        product_id TEXT NOT NULL,
        sku_id TEXT NOT NULL,
        seller_sku TEXT NOT NULL,
        item INTEGER,
        status TEXT NOT NULL,
        parked TEXT NOT NULL DEFAULT '',
        seen_at INTEGER NOT NULL,
        PRIMARY KEY (product_id, sku_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX listing_by_item ON listing (item);

    CREATE TABLE offer (
        product_id TEXT NOT NULL,
        sku_id TEXT NOT NULL,
        warehouse TEXT NOT NULL,
        shown INTEGER,   -- last quantity that TikTok confirmed or told us
        sent INTEGER,    -- on the wire, outcome not yet known
        wanted INTEGER,
        PRIMARY KEY (product_id, sku_id, warehouse)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX offer_pending ON offer (product_id, sku_id)
        WHERE wanted IS NOT NULL AND wanted IS NOT shown;
    CREATE INDEX offer_sent ON offer (product_id, sku_id) WHERE sent IS NOT NULL;

    CREATE TABLE hold (
        product_id TEXT NOT NULL,
        sku_id TEXT NOT NULL,
        warehouse TEXT NOT NULL,
        units INTEGER NOT NULL,
        until INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX hold_by_offer ON hold (product_id, sku_id, warehouse);

    CREATE TABLE token (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE journal (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        pass_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        item INTEGER,
        sku TEXT NOT NULL,
        numbers TEXT NOT NULL   -- JSON object
    ) STRICT;
    CREATE INDEX journal_by_sku ON journal (sku, id);
    CREATE INDEX journal_by_at ON journal (at);
    """,
    """
    ALTER TABLE attempt ADD COLUMN sent INTEGER NOT NULL DEFAULT 1;  -- it may have been on the wire

    CREATE TABLE request (         -- what people asked of the one process that may write
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL         -- JSON object
    ) STRICT;

    CREATE TABLE scanned (         -- the levels that a full scan under way has seen
        item INTEGER NOT NULL,
        location INTEGER NOT NULL,
        PRIMARY KEY (item, location)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    ALTER TABLE listing ADD COLUMN sku TEXT NOT NULL DEFAULT '';   -- the Shopify SKU that it sells
    ALTER TABLE listing ADD COLUMN linked_item INTEGER;            -- which item of that SKU
    ALTER TABLE listing ADD COLUMN kind TEXT NOT NULL DEFAULT '';  -- '' is: not yet looked at
    ALTER TABLE listing ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE listing ADD COLUMN parked_by TEXT NOT NULL DEFAULT '';
    ALTER TABLE listing ADD COLUMN parked_until INTEGER NOT NULL DEFAULT 0;  -- 0: may be tried now
    ALTER TABLE offer ADD COLUMN ordered INTEGER;  -- sold and not yet shipped, when last read
    UPDATE listing SET sku = seller_sku;
    UPDATE listing SET parked_by = 'error' WHERE parked <> '';
    UPDATE listing SET parked_by = 'status', parked_until = 4000000000000
        WHERE parked LIKE 'its status is %';
    CREATE INDEX listing_by_sku ON listing (sku);
    CREATE INDEX listing_parked ON listing (parked_until) WHERE parked <> '';

    CREATE TABLE told (            -- what was said once and is not said again while it lasts
        subject TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (subject, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE written (         -- when we last wrote an offer that nobody has moved since
        product_id TEXT NOT NULL,
        sku_id TEXT NOT NULL,
        warehouse TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (product_id, sku_id, warehouse)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE move (            -- readings that differed from what we had written
        id INTEGER PRIMARY KEY,
        product_id TEXT NOT NULL,
        sku_id TEXT NOT NULL,
        warehouse TEXT NOT NULL,
        at INTEGER NOT NULL,
        stood INTEGER NOT NULL,
        found INTEGER NOT NULL,
        explained INTEGER NOT NULL,
        wrote_at INTEGER NOT NULL  -- 0: not the first move since we wrote
    ) STRICT;
    CREATE INDEX move_by_offer ON move (product_id, sku_id, warehouse, id);
    CREATE INDEX move_by_at ON move (at);

    CREATE TABLE rival (           -- offers that another program writes too
        product_id TEXT NOT NULL,
        sku_id TEXT NOT NULL,
        warehouse TEXT NOT NULL,
        why TEXT NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (product_id, sku_id, warehouse)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    -- What was on its way when a level was last read; 0 says as little as nothing on its way.
    ALTER TABLE level ADD COLUMN incoming INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE level ADD COLUMN counted_at INTEGER NOT NULL DEFAULT 0;  -- stamp of available
    """,
    """
    -- Whether a product is neither a draft nor archived; whether the stock is that of components.
    ALTER TABLE item ADD COLUMN on_sale INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE item ADD COLUMN bundle INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE item ADD COLUMN pool_before INTEGER;  -- before the last change of the pool
    ALTER TABLE item ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;  -- half of a move of stock
    ALTER TABLE item ADD COLUMN unanswered_at INTEGER NOT NULL DEFAULT 0;
    DELETE FROM meta WHERE key = 'catalogue_mark';  -- the whole catalogue is read for them
    """,
    """
    -- What an error parked stays owed: no refusal lets a listing rest for hours.
    UPDATE listing SET parked_until = 0 WHERE parked_by = 'error';
    """,
    """
    ALTER TABLE offer ADD COLUMN backorder INTEGER NOT NULL DEFAULT 0;  -- sold beyond the stock
    """,
    """
    CREATE TABLE notice (          -- what people should know of a listing while it lasts
        subject TEXT NOT NULL,
        product_id TEXT NOT NULL,  -- '' is: not known
        sku_id TEXT NOT NULL,      -- '' is: the whole product
        warehouse TEXT NOT NULL,   -- '' is: the whole listing
        sku TEXT NOT NULL,
        item INTEGER,
        why TEXT NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (subject, product_id, sku_id, warehouse)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE component (       -- what one unit of a bundle takes, where tiktok.bundles asks
        bundle INTEGER NOT NULL,
        item INTEGER NOT NULL,
        units INTEGER NOT NULL,
        PRIMARY KEY (bundle, item)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX component_by_item ON component (item);
    CREATE INDEX item_bundle ON item (id) WHERE bundle = 1;
    """,
    """
    CREATE TABLE lost_level (      -- what was mirrored and is not any more
        location INTEGER NOT NULL,
        item INTEGER NOT NULL,     -- 0 is: the whole location
        why TEXT NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (location, item)
    ) STRICT, WITHOUT ROWID;
    """,
    # What a search finds a SKU by, in one case. `casefold` is Python's, given to the connection
    # that migrates; the triggers do without it, so that any SQLite may write here. The words of
    # `item_search` are three characters each; it keeps no text of its own, only where they are.
    """
    ALTER TABLE item ADD COLUMN folded TEXT NOT NULL DEFAULT '';
    UPDATE item SET folded = casefold(sku);
    CREATE INDEX item_by_folded ON item (folded, id);
    CREATE INDEX item_oversold ON item (id) WHERE pool < 0 AND standing = 'pooled';
    CREATE INDEX listing_parked_item ON listing (item, parked)  -- whole: a count reads no listing
        WHERE parked <> '' AND item IS NOT NULL;
    CREATE INDEX listing_by_seller_sku ON listing (seller_sku);
    CREATE INDEX listing_by_sku_id ON listing (sku_id);

    CREATE VIRTUAL TABLE item_search USING fts5 (
        folded, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
    );
    INSERT INTO item_search (rowid, folded) SELECT id, folded FROM item;
    CREATE TRIGGER item_search_new AFTER INSERT ON item BEGIN
        INSERT INTO item_search (rowid, folded) VALUES (new.id, new.folded);
    END;
    CREATE TRIGGER item_search_gone AFTER DELETE ON item BEGIN
        INSERT INTO item_search (item_search, rowid, folded)
            VALUES ('delete', old.id, old.folded);
    END;
    CREATE TRIGGER item_search_other AFTER UPDATE OF folded ON item
        WHEN new.folded <> old.folded BEGIN
        INSERT INTO item_search (item_search, rowid, folded)
            VALUES ('delete', old.id, old.folded);
        INSERT INTO item_search (rowid, folded) VALUES (new.id, new.folded);
    END;
    """,
)

VERSION = len(STEPS)
