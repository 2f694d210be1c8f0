import type { Attributes, Span } from '@opentelemetry/api'
import { AsyncLocalStorage } from 'node:async_hooks'

/** `00-<trace>-<parent>-<flags>` (W3C Trace Context). */
const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** What one node tells of what it does, and how long it takes. Never a value that a caller sent. */
export interface Tracing {
  /** Begins the span of a request; one that says so belongs to the caller's trace. */
  begin(name: string, traceParent: string | undefined): Span
  /** Runs a step so that what it does belongs to a span. */
  within<Result>(span: Span, step: () => Result): Result
  /** Tells of something that has just ended, and of when it began, as `performance.now()` tells. */
  ended(name: string, began: number, attributes: Attributes): void
  /** Runs a job as a span of its own. */
  job<Result>(queue: string, run: () => Promise<Result>): Promise<Result>
  /** Sends what is left. */
  stop(): Promise<void>
}

/**
 * Sends traces by OTLP over HTTP. The libraries are loaded here and nowhere else, so that whoever wants no traces does
 * not pay for them.
 *
 * @param endpoint of the collector, such as `http://localhost:4318`.
 */
export async function openTracing(endpoint: string): Promise<Tracing> {
  const [{ ROOT_CONTEXT, SpanKind, SpanStatusCode, trace }, sdk, exporter, resources] =
    await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ])
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': 'gatehouse' }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({ exporter: new exporter.OTLPTraceExporter({ url }) }),
    ],
  })
  const tracer = provider.getTracer('gatehouse')
  const current = new AsyncLocalStorage<Span>()
  const below = (span: Span) => trace.setSpan(ROOT_CONTEXT, span)

  const callers = (text: string | undefined) => {
    const [, traceId, spanId, flags] = TRACE_PARENT.exec(text ?? '') ?? []
    if (!traceId || !spanId || !flags) return ROOT_CONTEXT
    const traceFlags = Number.parseInt(flags, 16) & 1
    return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
  }

  return {
    begin: (name, traceParent) =>
      tracer.startSpan(name, { kind: SpanKind.SERVER }, callers(traceParent)),
    within: (span, step) => current.run(span, step),
    ended: (name, began, attributes) => {
      const parent = current.getStore()
      // what nobody asked for, such as looking for jobs, would drown everything else
      if (!parent) return
      const startTime = performance.timeOrigin + began
      tracer.startSpan(name, { startTime, attributes }, below(parent)).end()
    },
    job: async (queue, run) => {
      const span = tracer.startSpan(`job ${queue}`, { kind: SpanKind.CONSUMER })
      try {
        return await current.run(span, run)
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    stop: () => provider.shutdown(),
  }
}
