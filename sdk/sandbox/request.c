// SPDX-License-Identifier: Apache-2.0
#include "request.h"

#include "base/alloc.h"

#include <stdlib.h>

struct stream {
    struct stream_source source;
    void (*wake)(void *data); /* NULL: nobody brings it yet */
    void *data;
    bool broken;
};

const char *request_query(const struct request *request, const char *name)
{
    return request->words->query(request->from, name);
}

const char *request_header(const struct request *request, const char *name)
{
    return request->words->header(request->from, name);
}

struct stream *answer_stream(struct answer *answer, struct stream_source source)
{
    struct stream *stream = mem_alloc(sizeof *stream);
    stream->source = source;
    answer->stream = stream;
    return stream;
}

void stream_wake(struct stream *stream)
{
    if (stream->wake)
        stream->wake(stream->data);
}

void stream_on_wake(struct stream *stream, void (*wake)(void *data), void *data)
{
    stream->wake = wake;
    stream->data = data;
}

void stream_break(struct stream *stream)
{
    stream->broken = true;
}

bool stream_is_broken(const struct stream *stream)
{
    return stream->broken;
}

bool stream_read(struct stream *stream, struct text *out)
{
    return stream->source.read(stream->source.data, out);
}

void stream_free(struct stream *stream)
{
    stream->source.close(stream->source.data);
    free(stream);
}

void answer_drop(struct answer *answer)
{
    text_done(&answer->body);
    text_done(&answer->warnings);
    if (answer->stream)
        stream_free(answer->stream);
    answer->stream = NULL;
}
