import winston from 'winston';
import type { Clock } from '../edges/clock.ts';
import { toLoggable } from './loggable.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Facts that belong to a line, such as `{ region: 'eu', error }`. Errors are written with code and causes. */
export type LogFields = Record<string, unknown>;

/** What the program says to whoever runs it. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  /** Lines below this level are dropped. */
  level: LogLevel;
  clock: Clock;
  /** Where the lines go; standard output unless given. */
  stream?: NodeJS.WritableStream;
}

/** A Logger that writes one JSON object a line, with secrets taken out (see loggable.ts). */
export function createLogger(options: LoggerOptions): Logger {
  const sink = winston.createLogger({
    level: options.level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: winston.format.printf((info) => JSON.stringify(info)),
    transports: [new winston.transports.Stream({ stream: options.stream ?? process.stdout })],
    exitOnError: false,
  });
  return new WinstonLogger(sink, options.clock, {});
}

/** A Logger that says nothing, for tests and one-shot commands. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

class WinstonLogger implements Logger {
  readonly #sink: winston.Logger;
  readonly #clock: Clock;
  readonly #fields: LogFields;

  constructor(sink: winston.Logger, clock: Clock, fields: LogFields) {
    this.#sink = sink;
    this.#clock = clock;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new WinstonLogger(this.#sink, this.#clock, { ...this.#fields, ...fields });
  }

  #write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    // A dropped line would otherwise cost as much as a written one.
    if (!this.#sink.isLevelEnabled(level)) return;
    const loggable = toLoggable({ ...this.#fields, ...fields, message }) as LogFields;
    this.#sink.log({
      timestamp: new Date(this.#clock.now()).toISOString(),
      ...loggable,
      level,
      message: String(loggable['message']),
    });
  }
}
