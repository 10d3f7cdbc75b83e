-- What is done with personal data that is found where no schema declares any, as an operator set it, in
-- JSON; no row where the defaults hold.
CREATE TABLE detection_policy (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    policy TEXT NOT NULL CHECK (length(policy) <= 1048576)
) STRICT;
