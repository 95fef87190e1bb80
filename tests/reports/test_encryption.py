"""The password of a PDF: without it there is nothing to read, not even the title."""

from io import BytesIO

import pikepdf
import pypdfium2
import pytest

from reports.encryption import PasswordRefused, checked_password, encrypted
from reports.printing import print_html

HTML = "<!doctype html><html lang='ko'><head><title>비밀 제목</title></head><body>비밀 본문 48,957,778원</body></html>"


@pytest.fixture(scope="module")
def pdf():
    return print_html(HTML, identifier="x", epoch=0)


@pytest.mark.parametrize("password", ["secret word", "비밀번호 열쇠", "a" * 127])
def test_pdf_opens_with_its_password_and_says_the_same(pdf, password):
    data = encrypted(pdf, password)
    document = pypdfium2.PdfDocument(data, password=password)
    assert "48,957,778원" in document[0].get_textpage().get_text_bounded()
    document.close()


@pytest.mark.parametrize("password", [None, "", "secret", "Secret word"])
def test_pdf_does_not_open_with_another_one(pdf, password):
    data = encrypted(pdf, "secret word")
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(data, password=password)


def test_pdf_is_encrypted_with_aes_256_and_so_is_what_it_says_about_itself(pdf):
    data = encrypted(pdf, "secret word")
    with pikepdf.open(BytesIO(data), password="secret word") as document:
        assert (document.encryption.R, document.encryption.bits) == (6, 256)
        assert document.encryption.stream_method == pikepdf.models.EncryptionMethod.aesv3
        assert document.docinfo["/Title"] == "비밀 제목"
    for text in ("비밀", "48,957,778", "secret word"):
        for encoding in ("utf-8", "utf-16-be"):
            assert text.encode(encoding) not in data


def test_two_files_of_the_same_page_cannot_be_told_apart_from_others(pdf):
    assert encrypted(pdf, "secret word") != encrypted(pdf, "secret word")


@pytest.mark.parametrize("password", ["가" * 43, "a" * 128, "a\nb", "a\x00b", "a\u202eb"])
def test_password_that_a_pdf_cannot_have_is_refused(password):
    with pytest.raises(PasswordRefused):
        checked_password(password)
