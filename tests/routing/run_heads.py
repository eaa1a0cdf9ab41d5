#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Streams of bytes asked of `weir explain --raw`: what the RFCs make of a head and
of the end of a body, and where weir is stricter. Then what JSON answers hold.

    run_heads.py [--weir PATH]
"""
import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
END = b"\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# Bytes; verdict of the first head with its status or with a target that is not "/";
# for each request the bytes of its head, where it ends, and another verdict; and why:
# the RFC and its section. "strict": the RFC allows it, or has another status; "lax":
# the RFC would refuse it (a proxy that changes no byte leaves that to the endpoint).
STREAMS = [
    (GET + END, 'route', '27-27',
     '9112 3: a request line, a Host, an empty line'),
    (b'\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'route', '29-29',
     '9112 2.2: an empty line in front SHOULD be ignored'),
    (b'\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'route', '31-31',
     '9112 2.2: "at least one"'),
    (b'\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     "strict, 9112 2.2: a bare LF MAY be taken for a line's end"),
    (b' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 3: a method is a token, and comes first'),
    (b'GET / HTTP/1.1\nHost: a\n\n', 'reject 400', '0-',
     "strict, 9112 2.2: a bare LF MAY be taken for a line's end"),
    (b'GET /\r\n\r\n', 'reject 400', '0-',
     '9112 2.3, 3: HTTP-version is no option'),
    (b'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 'reject 505', '0-',
     'strict, 9110 2.5: a higher minor version SHOULD be processed as 1.1'),
    (b'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 'reject 505', '0-',
     '9110 15.6.6: another major version'),
    (b'GET / HTTP/1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 2.3: DIGIT "." DIGIT'),
    (b'GET / HTTP/01.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 2.3: DIGIT "." DIGIT'),
    (b'GET / http/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 2.3: HTTP-name is case-sensitive'),
    (b'GET / HTTPS/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 2.3: HTTP-name'),
    (b'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     'strict, 9112 3: one SP; other white space MAY be parsed'),
    (b'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     'strict, 9112 3: one SP; other white space MAY be parsed'),
    (b'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 'reject 400', '0-',
     'strict, 9112 3: one SP; white space at the end MAY be ignored'),
    (b'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 3.2: no white space in a request-target; 400 SHOULD be sent'),
    (b'get / HTTP/1.1\r\nHost: a\r\n\r\n', 'route', '27-27',
     '9110 9.1: a method is case-sensitive, any token'),
    (b'M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n', 'route', '32-32',
     '9110 9.1: any token'),
    (b'G@T / HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9110 5.6.2: @ is in no token'),
    (b'\x00\x01\x02', 'reject 400', '0-',
     '9112 3: no request line'),
    (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'reject 505', '0-',
     '9112 2.3, 9110 15.6.6: version 2'),
    (b'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 'reject 400', '0-',
     '9112 2.2: white space before the first header field: reject'),
    (b'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n', 'reject 400', '0-',
     "strict, 9112 2.2: a bare LF MAY be taken for a line's end"),
    (GET + b'X: b\rc\r\n\r\n', 'reject 400', '0-',
     '9112 2.2: a bare CR: invalid (or a space)'),
    (GET + b'X: b\x00c\r\n\r\n', 'reject 400', '0-',
     '9110 5.5: NUL: reject (or a space)'),
    (GET + b'X: b\r\n c\r\n\r\n', 'reject 400', '0-',
     '9112 5.2: obs-fold in a request: reject (or a space)'),
    (b'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 'reject 400', '0-',
     '9112 5.1: white space before the colon: MUST reject with 400'),
    (GET + b': b\r\n\r\n', 'reject 400', '0-',
     '9112 5: field-name is a token, not empty'),
    (GET + b'foo\r\n\r\n', 'reject 400', '0-',
     '9112 5: a field line has a colon'),
    (GET + b'X: \xe9\r\n\r\n', 'route', '33-33',
     '9110 5.5: obs-text'),
    (GET + b'X:\tb\tc\t\r\n\r\n', 'route', '36-36',
     '9110 5.5: HTAB within a value, OWS around it'),
    (GET + b'X: \x7f\r\n\r\n', 'reject 400', '0-',
     '9110 5.5: CTL are invalid; 7F is one'),
    (GET + b'X(: b\r\n\r\n', 'reject 400', '0-',
     '9110 5.6.2: ( is in no token'),
    (GET + b'X\xe9: b\r\n\r\n', 'reject 400', '0-',
     '9110 5.6.2: a token is ASCII'),
    (b'GET / HTTP/1.1\r\nX: a\r\n\r\n', 'reject 400', '0-',
     '9112 3.2: MUST respond with 400 without Host'),
    (b'GET / HTTP/1.0\r\n\r\n', 'route', '18-18',
     '9112 3.2: of HTTP/1.1 only'),
    (b'GET / HTTP/1.1\r\nHost:\r\n\r\n', 'reject 400', '0-',
     '9110 4.2.1: an http URI with an empty host MUST be rejected'),
    (b'GET / HTTP/1.0\r\nHost:\r\n\r\n', 'reject 400', '0-',
     '9110 4.2.1: an http URI with an empty host MUST be rejected'),
    (GET + b'Host: a\r\n\r\n', 'reject 400', '0-',
     '9112 3.2: MUST respond with 400 to more than one Host'),
    (b'GET / HTTP/1.1\r\nHost: a,b\r\n\r\n', 'route', '29-29',
     '3986 3.2.2: reg-name has sub-delims'),
    (b'GET / HTTP/1.1\r\nHost: a_b\r\n\r\n', 'route', '29-29',
     '3986 3.2.2: reg-name has _'),
    (b'GET / HTTP/1.1\r\nHost: a%20b\r\n\r\n', 'route', '31-31',
     '3986 3.2.2: reg-name has pct-encoded'),
    (b'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 'reject 400', '0-',
     '3986 3.2: / ends an authority: not uri-host [ ":" port ]'),
    (b'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 'reject 400', '0-',
     '9110 7.2: Host has no userinfo'),
    (b'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 'reject 400', '0-',
     '9110 7.2: not uri-host'),
    (b'GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n', 'reject 400', '0-',
     '3986 3.2.2: ASCII only'),
    (b'GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n', 'route', '36-36',
     '3986 3.2.2: IP-literal'),
    (b'GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n', 'reject 400', '0-',
     'strict, 6874 2: a zone means something to its sender only'),
    (b'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 'reject 400', '0-',
     '3986 3.2.2: ] is missing'),
    (b'GET / HTTP/1.1\r\nHost: a:\r\n\r\n', 'route', '28-28',
     '3986 3.2.3: port = *DIGIT'),
    (b'GET / HTTP/1.1\r\nHost: a:0\r\n\r\n', 'route', '29-29',
     '3986 3.2.3: port = *DIGIT'),
    (b'GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n', 'reject 400', '0-',
     'strict, 3986 3.2.3: *DIGIT, but no port is that large'),
    (b'GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n', 'reject 400', '0-',
     'strict, 3986 3.2.3: *DIGIT; more than five'),
    (b'GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n', 'reject 400', '0-',
     '3986 3.2.3: *DIGIT'),
    (b'GET / HTTP/1.1\r\nHost: a..b\r\n\r\n', 'reject 400', '0-',
     'strict, 3986 3.2.2: allowed, but no DNS name (1034 3.1)'),
    (b'GET / HTTP/1.1\r\nHost: .a\r\n\r\n', 'route', '28-28',
     "3986 3.2.2: reg-name; matches no rule's host"),
    (b'GET / HTTP/1.1\r\nHost: a.\r\n\r\n', 'route', '28-28',
     '1034 3.1: a final dot names the same host'),
    (b'GET / HTTP/1.1\r\nHost: .\r\n\r\n', 'reject 400', '0-',
     'strict, 3986 3.2.2: allowed, but names no host (1034 3.1)'),
    (b'GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n', 'route /x', '36-36',
     '9112 3.2.2: absolute-form MUST be accepted; origin-form is sent on (3.2.1)'),
    (b'GET http://a HTTP/1.1\r\nHost: a\r\n\r\n', 'route', '34-34',
     '9112 3.2.1: an empty path is sent as /'),
    (b'GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n', 'route /?x', '36-36',
     '9112 3.2.1: an empty path is sent as /'),
    (b'GET http://u:p@a/x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9110 4.2.4: userinfo SHOULD be taken for an error'),
    (b'GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     'strict, 9112 3.2.2: Host is to be ignored then; two answers are one too many'),
    (b'GET http://a:80/x HTTP/1.1\r\nHost: a\r\n\r\n', 'route /x', '39-39',
     '9110 4.2.1: 80 is the default port, the same authority'),
    (b'GET https://a/x HTTP/1.1\r\nHost: a\r\n\r\n', 'route /x', '37-37',
     '9112 3.2.2: any http or https URI'),
    (b'GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 3.2.2: no scheme that is served here'),
    (b'GET HTTP://A/x HTTP/1.1\r\nHost: a\r\n\r\n', 'route /x', '36-36',
     '9110 4.2.3: scheme and host compare without case'),
    (b'GET http://a/x HTTP/1.0\r\n\r\n', 'reject 400', '0-',
     'strict, 9112 3.2.2: absolute-form MUST be accepted; without Host its host would be lost'),
    (b'GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9110 4.2.1: an http URI with an empty host MUST be rejected'),
    (b'GET http://[::1]/x HTTP/1.1\r\nHost: [::1]\r\n\r\n', 'route /x', '44-44',
     '3986 3.2.2: IP-literal'),
    (b'GET http://a/x#y HTTP/1.1\r\nHost: a\r\n\r\n', 'route /x#y', '38-38',
     'lax, 9112 3.2: a target has no fragment; 400 SHOULD be sent'),
    (b'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     'strict, 9112 3.2.4: asterisk-form is valid, but of no path'),
    (b'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 3.2.4: asterisk-form is for OPTIONS'),
    (b'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     'strict, 9112 3.2.3: authority-form is valid, but no tunnel is made here'),
    (b'CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 3.2.3: CONNECT has authority-form'),
    (b'GET foo HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 3.2.1: a path begins with /'),
    (b'GET ?x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '9112 3.2.1: a path begins with /'),
    (b'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 'route /a#b', '30-30',
     'lax, 9112 3.2: a target has no fragment; 400 SHOULD be sent'),
    (b'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '30-30',
     '3986 2.1: "%" HEXDIG HEXDIG'),
    (b'GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '29-29',
     '3986 2.1: "%" HEXDIG HEXDIG'),
    (b'GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '30-30',
     'strict, 3986 7.3: %00 is a danger to whoever decodes it'),
    (b'GET /?%zz HTTP/1.1\r\nHost: a\r\n\r\n', 'route /?%zz', '31-31',
     'lax, 3986 2.1: but the query decides nothing here'),
    (b'GET /.. HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '29-29',
     'strict, 3986 5.2.4: .. above the root is dropped there'),
    (b'GET /a/%2e./../b HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '38-38',
     'strict, 3986 5.2.4, 6.2.2.2: the same, encoded'),
    (b'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 'route /\\ufffd', '28-28',
     'lax, 3986 2: ASCII only; the byte goes on as it came'),
    (b'GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n', 'route /a\\b', '30-30',
     'lax, 3986 3.3: not in pchar; the byte goes on as it came'),
    (b'GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-',
     '3986 2: a CTL'),
    (b'GET /a"<>^`{|} HTTP/1.1\r\nHost: a\r\n\r\n', 'route /a"<>^`{|}', '36-36',
     'lax, 3986 3.3: not in pchar; the bytes go on as they came'),
    (POST + b'Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n',
     'route', '47-50 27-77',
     '9112 6.3: so many bytes, and then the next request'),
    (POST + b'Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
     'route', '66-69',
     '9110 8.6: identical values MAY be taken for one'),
    (POST + b'Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc',
     'reject 400', '0-',
     '9110 8.6, 9112 6.3: different values MUST be an error'),
    (POST + b'Content-Length: 3, 3\r\n\r\nabc', 'route', '50-53',
     '9110 8.6: a list of identical values MAY be taken for one'),
    (POST + b'Content-Length: +3\r\n\r\nabc', 'reject 400', '0-',
     '9110 8.6: 1*DIGIT'),
    (POST + b'Content-Length: -3\r\n\r\nabc', 'reject 400', '0-',
     '9110 8.6: 1*DIGIT'),
    (POST + b'Content-Length: 0x3\r\n\r\nabc', 'reject 400', '0-',
     '9110 8.6: 1*DIGIT'),
    (POST + b'Content-Length:\r\n\r\nabc', 'reject 400', '0-',
     '9110 8.6: 1*DIGIT'),
    (POST + b'Content-Length: 3 4\r\n\r\nabc', 'reject 400', '0-',
     '9110 8.6: 1*DIGIT'),
    (POST + b'Content-Length: 99999999999999999999\r\n\r\nabc',
     'reject 400', '0-',
     '9110 8.6: a recipient MUST prevent an overflow'),
    (POST + b'Content-Length: 003\r\n\r\nabc', 'route', '49-52',
     '9110 8.6: 1*DIGIT'),
    (POST + b'Content-Length: \x0b3\r\n\r\nabc',
     'reject 400', '0-',
     '9110 5.5: a CTL'),
    (POST + b'Expect: 100-continue\r\nContent-Length: 3\r\n\r\n',
     'route', '69-',
     '9110 10.1.1: the body follows'),
    (GET + b'Content-Length: 3\r\n\r\nabc', 'route', '46-49',
     '9112 6: any method may have a body'),
    (POST + b'Content-Length: 3 \r\n\r\nabc', 'route', '48-51',
     '9110 5.5: OWS around a value'),
    (POST + b'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-',
     '9112 6.1: a server MAY reject both fields in one request'),
    (CHUNKED + b'3\r\nabc\r\n0\r\n\r\n',
     'route', '56-69',
     '9112 7.1: 3 bytes, the last chunk, no trailers'),
    (POST + b'Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n',
     'route', '56-61',
     '9112 7: names of codings compare without case'),
    (POST + b'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-',
     'strict, 9112 6.1: 501 SHOULD be sent for a coding that is not understood'),
    (POST + b'Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
     'reject 400', '0-',
     '9112 6.3: chunked not last in a request: MUST respond with 400'),
    (POST + b'Transfer-Encoding: identity\r\n\r\n',
     'reject 400', '0-',
     '9112 6.3: chunked not last in a request: MUST respond with 400'),
    (POST + b'Transfer-Encoding:\r\n\r\n', 'reject 400', '0-',
     '9112 6.3: chunked is not there'),
    (POST + b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-',
     '9112 6.1: chunked MUST NOT be applied twice'),
    (POST + b'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-',
     '9112 6.3: another coding than chunked'),
    (POST + b'Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n',
     'reject 400', '0-',
     '9112 7: chunked has no parameters'),
    (POST + b'Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-',
     'strict, 9110 5.6.1.2: empty elements of a list are to be ignored'),
    (b'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-',
     '9112 6.1: in HTTP/1.0: MUST be taken for faulty framing'),
    (POST + b'Transfer_Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc',
     'route', '75-78',
     '9110 5.1: another field: _ is not -'),
    (CHUNKED + b'3;a=b\r\nabc\r\n0\r\n\r\n',
     'route', '56-73',
     '9112 7.1.1: extensions MUST be ignored'),
    (CHUNKED + b'3 ; a = b\r\nabc\r\n0\r\n\r\n',
     'route', '56-77',
     '9112 7.1.1: BWS around ; and ='),
    (CHUNKED + b'3 \r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1: white space only before an extension'),
    (CHUNKED + b' 3\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1: white space only before an extension'),
    (CHUNKED + b'3;a="b;\\""\r\nabc\r\n0\r\n\r\n',
     'route', '56-78',
     '9112 7.1.1: quoted-string'),
    (CHUNKED + b'3;a=\x01\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject',
     '9110 5.6.4: no CTL in a token'),
    (CHUNKED + b'3;a\nabc\r\n0\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1: CRLF; LF alone MAY end lines of a head only'),
    (CHUNKED + b'3\nabc\r\n0\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1: CRLF; LF alone MAY end lines of a head only'),
    (CHUNKED + b'0x3\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1: 1*HEXDIG'),
    (CHUNKED + b'-3\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1: 1*HEXDIG'),
    (CHUNKED + b'\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1: 1*HEXDIG'),
    (CHUNKED + b'3\r\nabcd\r\n0\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1: CRLF behind so many bytes'),
    (CHUNKED + b'3\r\nabc\n0\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1: CRLF behind so many bytes'),
    (CHUNKED + b'A\r\n0123456789\r\n0\r\n\r\n',
     'route', '56-76',
     '9112 7.1: HEXDIG of either case'),
    (CHUNKED + b'0000000000000000003\r\nabc\r\n0\r\n\r\n',
     'route', '56-87',
     '9112 7.1: leading zeros'),
    (CHUNKED + b'ffffffffffffffffff\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1: a recipient MUST prevent an overflow'),
    (CHUNKED + b'0\r\nX: y\r\n\r\n',
     'route', '56-67',
     '9112 7.1.2: a trailer section'),
    (CHUNKED + b'0\r\nX: y\r\n z\r\n\r\n',
     'route', '56-:reject',
     '9112 5.2: obs-fold: reject'),
    (CHUNKED + b'0\r\nXy\r\n\r\n',
     'route', '56-:reject',
     '9112 7.1.2: field lines have a colon'),
    (CHUNKED + b'0\r\nX: y\n\r\n',
     'route', '56-:reject',
     "strict, 9112 2.2: a bare LF MAY be taken for a line's end"),
    (CHUNKED + b'0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
     'route', '56-61 28-89',
     '9112 9.3: the next request follows'),
    (CHUNKED + b'5\r\nab',
     'route', '56-',
     '9112 7.1: not all of the chunk has come'),
    (CHUNKED + b'00\r\n\r\n',
     'route', '56-62',
     '9112 7.1: last-chunk = 1*"0"'),
    (GET + b'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81',
     'route', '68-',
     "9110 7.8: what follows is another protocol's"),
    (GET + b'Connection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
     'route', '46-46 27-73',
     'lax, 9112 9.6: nothing behind close is to be processed; left to the endpoint'),
    (GET + b'\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
     'route', '27-27 29-56',
     '9112 2.2: empty lines between requests'),
    (GET + b'\r\ngarbage', 'route', '27-27 0-:incomplete',
     '9112 2.2, 9.3: not all of a request line has come'),
    (b'', 'incomplete', '',
     '9112 2.2: nothing has come'),
    (b'GET / HT', 'incomplete', '0-',
     '9112 2.2: not all of a request line has come'),
    (b'GET / HTTQ', 'incomplete', '0-',
     '9112 2.3: not all of a request line has come'),
]

RULES = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: all, annotations: {konghq.com/protocols: PROTOCOLS}}
spec:
  ingressClassName: kong
  rules:
  - http: {paths: [{path: /, pathType: Prefix, backend: &s {service: {name: s, port: {number: 80}}}}]}
  - host: b
    http: {paths: [{path: /, pathType: Prefix, backend: *s}]}
---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {ports: [{port: 80}]}
"""


def explain(weir, args, data, protocols="http"):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(RULES.replace("PROTOCOLS", protocols))
        f.flush()
        run = subprocess.run(
            [weir, "-q", "-o", "json", "explain", "-f", f.name,
             "--endpoint", "default/s=192.0.2.1:80"] + args,
            input=data, capture_output=True, check=False)
    if run.returncode:
        return {"failed": run.stderr.decode()}
    return json.loads(run.stdout)


def verdict_of(answer):
    out = answer["verdict"]
    if "status" in answer:
        out += " %d" % answer["status"]
    if answer.get("target", "/") != "/":
        out += " " + answer["target"].encode("ascii", "backslashreplace").decode()
    return out


def stream_of(answer):
    out = []
    for s in answer["stream"]:
        piece = "%d-%s" % (s["head_bytes"] or 0, "" if s["end"] is None else s["end"])
        out.append(piece + ("" if s["verdict"] == answer["verdict"]
                            else ":" + s["verdict"]))
    return " ".join(out)


def hello(name, protocols, piece):
    """A ClientHello in records of `piece` bytes."""
    def vector(size, data):
        return struct.pack(">I", len(data))[4 - size:] + data

    sni = vector(2, vector(2, b"\0" + vector(2, name)))
    alpn = vector(2, vector(2, b"".join(vector(1, p) for p in protocols)))
    body = (b"\3\3" + bytes(32) + vector(1, b"") + vector(2, b"\x13\1") + vector(1, b"\0")
            + vector(2, b"\0\0" + sni + b"\0\x10" + alpn))
    message = b"\1" + vector(3, body)
    return b"".join(b"\x16\3\1" + vector(2, message[i:i + piece])
                    for i in range(0, len(message), piece))


def answers(weir):
    """(what, answer, parts of it that must be there)"""
    raw = ["--raw", "-"]
    yield ("a whole head", explain(weir, raw, b"\r\nPUT http://B:81/x?y HTTP/1.1\r\n"
                                   b"Host: b.:81\r\nContent-Length: 2\r\n\r\nab"),
           {"verdict": "route", "target": "/x?y", "ingress": "default/all",
            "rule": {"host": "b", "path": "/", "pathType": "Prefix"},
            "backend": "default/s:80",
            "http": {"method": "PUT", "target": "http://B:81/x?y", "host": "b", "port": 81,
                     "version": "1.1", "content_length": 2, "chunked": False,
                     "keep_alive": True, "upgrade": False, "head_bytes": 66},
            "stream": [{"offset": 0, "head_bytes": 66, "end": 68, "verdict": "route"}]})
    nothing = {"host": None, "port": None, "content_length": None, "chunked": False,
               "keep_alive": None, "upgrade": False, "head_bytes": None}
    yield ("a refused head, as far as it was read",
           explain(weir, raw, b"PUT /x HTTP/1.1\r\nContent-Length: 7\r\nHost : a\r\n\r\n"),
           {"verdict": "reject", "status": 400,
            "http": dict(nothing, method="PUT", target="/x", version="1.1",
                         content_length=7)})
    yield ("another version", explain(weir, raw, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
           {"verdict": "reject", "status": 505,
            "http": dict(nothing, method="PRI", target="*", version="2.0")})
    yield ("a head that goes on", explain(weir, raw, b"GET /x"),
           {"verdict": "incomplete",
            "http": dict(nothing, method="GET", target=None, version=None)})
    batch = ["--batch"]
    yield ("a refused head of --batch",
           explain(weir, batch, b'{"id":7,"target":"/%zz","host":"B:5"}'),
           {"id": 7, "verdict": "reject", "status": 400,
            "http": {"method": "GET", "target": "/%zz", "host": "b", "port": 5,
                     "version": "1.1", "content_length": None, "chunked": False,
                     "keep_alive": True, "upgrade": False, "head_bytes": 32}})
    yield ("https only, plain", explain(weir, batch, b'{"target":"/","host":"b"}', "https"),
           {"verdict": "reply", "status": 426, "ingress": "default/all"})
    yield ("https only, over TLS",
           explain(weir, batch, b'{"target":"/","host":"b","scheme":"https"}', "https"),
           {"verdict": "route", "ingress": "default/all", "target": "/"})
    yield ("the next rule", explain(weir, ["GET", "http://b/x"], b""),
           {"verdict": "route", "rule": {"host": "b", "path": "/", "pathType": "Prefix"},
            "next": {"ingress": "default/all", "backend": "default/s:80",
                     "rule": {"host": "", "path": "/", "pathType": "Prefix"},
                     "why": "a plain host, then a wildcard, then none"}})
    bytes_ = hello(b"Foo.Example.", [b"h2", b"http/1.1"], 7)
    yield ("a ClientHello in pieces", explain(weir, raw, bytes_),
           {"verdict": "reject", "tls": {"sni": "foo.example", "alpn": ["h2", "http/1.1"]}})
    yield ("with a gateway", explain(weir, raw + ["--gateway", "192.0.2.9:443"], bytes_),
           {"verdict": "gateway"})
    yield ("a part of it", explain(weir, raw, bytes_[:-1]), {"verdict": "incomplete"})
    yield ("as HTTP", explain(weir, raw + ["--listener", "http"], bytes_),
           {"verdict": "reject", "status": 400})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weir", default=os.path.join(HERE, "../../build/weir"))
    weir = parser.parse_args().weir
    failed = 0
    for data, verdict, stream, why in STREAMS:
        answer = explain(weir, ["--raw", "-"], data)
        got = (verdict_of(answer), stream_of(answer)) if "verdict" in answer else answer
        if got != (verdict, stream):
            failed += 1
            print("FAIL %r: %r, not %r (RFC %s)" % (data, got, (verdict, stream), why))
    for what, answer, want in answers(weir):
        wrong = {k: answer.get(k) for k, v in want.items() if answer.get(k) != v}
        failed += bool(wrong)
        print("%s %s" % ("FAIL" if wrong else "PASS", what))
        if wrong:
            print("    %r in %r" % (wrong, answer))
    print("%s %d streams as the RFCs have them" % ("FAIL" if failed else "PASS", len(STREAMS)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
