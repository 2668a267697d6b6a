-- What GZY keeps, third form: groups that were closed once keep what was said then from those who come later. Applied once.

-- Whoever comes into the open group reads nothing from before this id.
ALTER TABLE groups ADD COLUMN open_since INTEGER NOT NULL DEFAULT 0;
