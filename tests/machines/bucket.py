"""A storage that several machines reach and none has a path to: what S3 is to a site."""

import os
from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage


class Bucket(Storage):
    """Open, save, exists and delete, as far away as another folder; a name is replaced in one step."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def _open(self, name, mode="rb"):
        return File(ContentFile((self.folder / name).read_bytes()), name)

    def _save(self, name, content):
        fresh = self.folder / f".{name}.{os.getpid()}"
        fresh.write_bytes(content.read())
        fresh.replace(self.folder / name)
        return name

    def exists(self, name):
        return (self.folder / name).exists()

    def delete(self, name):
        (self.folder / name).unlink(missing_ok=True)

    def get_available_name(self, name, max_length=None):
        return name
