"""The books as JSON or CSV under `/api/v1/`: to be read by people who may see them, never written."""
