"""Where a fault can hit: the selector `on`."""

CALL = "call"  # of a model: chat, responses, embeddings
LINE = "line"  # of a batch
LIFE = "life"  # of a batch, decided when it is created
# Of the Files API and the Batch API: upload, retrieve, list, content, delete; create, retrieve,
# list, cancel.
OPERATIONS = (
    *("upload", "file", "files", "content", "delete"),
    *("create", "batch", "batches", "cancel"),
)
READINGS = ("batches", "files", "batch", "file", "content")
