# One image for web, worker and beat; docker-compose.yml says which it is.
FROM python:3.12-slim-bookworm AS packages
COPY requirements.txt /tmp/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.txt

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin hubconnect
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STATIC_ROOT=/app/staticfiles
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY manage.py ./
COPY hubconnect hubconnect
COPY templates templates
COPY static static
# The secret key is needed to start at all and is not kept in the image.
RUN SECRET_KEY=only-for-this-line python manage.py collectstatic --no-input --verbosity 0
USER 10001
EXPOSE 8000
# The access log shows no query: an address that brings an authorization code holds a secret.
CMD ["gunicorn", "hubconnect.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--access-logfile", "-", "--access-logformat", "%(h)s %(t)s %(m)s %(U)s %(s)s %(b)s %(M)s ms"]
