"""OpenAPI 3.1 descriptions of both APIs, made from their routes and models."""

from stamgast_cli.openapi.ingestion import ingestion_document
from stamgast_cli.openapi.lookup import lookup_document

__all__ = ["DOCUMENTS", "ingestion_document", "lookup_document"]

DOCUMENTS = {"ingestion": ingestion_document, "lookup": lookup_document}
