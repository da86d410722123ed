"""What BigQuery's SQL has and the local BigQuery has not: refused by its name, in jobs and dry runs."""

from functools import lru_cache

from local_bigquery.sql.dialect import BigQueryDialect
from sqlglot.errors import SqlglotError

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.failed_jobs import fail_job
from local.bigquery.googlesql import QUOTED
from local.bigquery.proxy import Forward

_FUNCTIONS = """
    APPENDS APPROX_COSINE_DISTANCE APPROX_DOT_PRODUCT APPROX_EUCLIDEAN_DISTANCE BAG_OF_WORDS CHANGES
    DLP_DETERMINISTIC_DECRYPT DLP_DETERMINISTIC_ENCRYPT DLP_KEY_CHAIN GAP_FILL S2_CELLIDFROMPOINT
    S2_COVERINGCELLIDS ST_ANGLE ST_BOUNDINGBOX ST_BUFFERWITHTOLERANCE ST_CENTROID_AGG ST_CLUSTERDBSCAN
    ST_GEOGFROM ST_GEOGPOINTFROMGEOHASH ST_GEOHASH ST_HAUSDORFFDISTANCE ST_HAUSDORFFDWITHIN ST_INTERIORRINGS
    TEXT_ANALYZE TF_IDF VECTOR_SEARCH
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
NAMESPACES = frozenset({"AEAD", "KEYS", "KLL_QUANTILES"})
PREFIXES = ("DETERMINISTIC_", "MATCH_RECOGNIZE")
PRIVACY = frozenset({"AGGREGATION_THRESHOLD", "DIFFERENTIAL_PRIVACY"})
PIPES = frozenset({"ASSERT", "CALL", "WINDOW", "WITH"})
SETS = frozenset({"EXCEPT", "INTERSECT", "UNION"})
QUANTIFIERS = frozenset({"ALL", "ANY", "SOME"})


class Unavailable:
    """Refuse jobs that ask for what is not here."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when all of its SQL is here."""
        if call.sql and (name := missing(call.sql)):
            message = f"The local BigQuery does not have this: {name}"
            return await fail_job(call, "notImplemented", message)
        return await forward(call)

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


@lru_cache(maxsize=1024)
def missing(sql: str) -> str:
    """Name the first function or clause of a statement that is not here, "" where all is."""
    try:
        tokens = BigQueryDialect().tokenize(sql)
    except SqlglotError:
        return ""  # The parser will say so.
    words = ["" if token.token_type in QUOTED else token.text.upper() for token in tokens]
    return next(filter(None, (_missing_at(words, place) for place in range(len(words)))), "")


def _missing_at(words: list[str], place: int) -> str:
    word, *after = words[place : place + 4]
    before = words[place - 1] if place else ""
    if word in NAMESPACES and after[:1] == ["."] and after[2:3] == ["("] and before != ".":
        return f"{word}.{after[1]}"
    if after[:1] == ["("] and before != "." and (word in FUNCTIONS or word.startswith(PREFIXES)):
        return word
    if word in {"LEFT", "INNER"} and next((one for one in after if one != "OUTER"), "") in SETS:
        return f"{word} {next(one for one in after if one != 'OUTER')}"
    if before == "|>" and word in PIPES:
        return f"|> {word}"
    if words[max(place - 2, 0) : place] == ["SELECT", "WITH"] and word in PRIVACY:
        return f"SELECT WITH {word}"
    if before == "LIKE" and word in QUANTIFIERS and (after[:1] == ["UNNEST"] or after[1:2] == ["SELECT"]):
        return f"LIKE {word} of {'an array' if after[0] == 'UNNEST' else 'a query'}"
    return ""
