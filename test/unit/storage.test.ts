import { expect, test } from 'vitest'
import { type ConfigError, readConfig } from '../../src/shared/config.ts'

const read = (STORAGE_URL: string, more: Record<string, string> = {}) =>
  readConfig({ DATA_DIR: 'memory://', STORAGE_URL, ...more }).STORAGE_URL
const USUAL = { AWS_ACCESS_KEY_ID: 'ID', AWS_SECRET_ACCESS_KEY: 'SECRET' }
const BASE = { region: 'us-east-1', accessKeyId: 'ID', secretAccessKey: 'SECRET' }

test('without it images lie in the database', () => {
  expect(readConfig({ DATA_DIR: 'memory://' }).STORAGE_URL).toBeNull()
})

test.each([
  ['s3://pictures', { ...BASE, url: 'https://s3.us-east-1.amazonaws.com/pictures' }],
  [
    's3://pictures/people/?region=eu-central-1',
    {
      ...BASE,
      region: 'eu-central-1',
      url: 'https://s3.eu-central-1.amazonaws.com/pictures/people',
    },
  ],
  [
    's3://a%2Fb:c%2Bd%3D@my.pictures/a/b?endpoint=http://minio:9000',
    {
      url: 'http://minio:9000/my.pictures/a/b',
      region: 'us-east-1',
      accessKeyId: 'a/b',
      secretAccessKey: 'c+d=',
    },
  ],
])('%s names a bucket', (text, storage) => {
  expect(read(text, USUAL)).toEqual(storage)
})

test('the region may come from the usual variable', () => {
  const { url, region } = read('s3://pictures', { ...USUAL, AWS_REGION: 'eu-north-1' })!
  expect([url, region]).toEqual(['https://s3.eu-north-1.amazonaws.com/pictures', 'eu-north-1'])
})

test.each([
  'pictures',
  'https://storage.example.com/pictures',
  's3://',
  's3://PICTURES',
  's3://a',
  's3://pictures:9000',
  's3://pictures/a//b',
  's3://pictures/a b',
  's3://pictures#people',
  's3://pictures?acl=public',
  's3://pictures?region=eu central',
  's3://pictures?region=eu.evil.example',
  's3://pictures?endpoint=minio:9000',
  's3://pictures?endpoint=ftp://minio',
  's3://pictures?endpoint=https://minio/path',
  's3://pictures?endpoint=https://id:secret@minio',
  's3://id@pictures',
  's3://id:sec%ret@pictures',
])('%s is refused, without a word of what it holds', text => {
  let faults: string[] = []
  try {
    read(text, USUAL)
  } catch (error) {
    faults = (error as ConfigError).faults
  }
  expect(faults).toHaveLength(1)
  expect(faults[0]).toMatch(/^STORAGE_URL: /)
  expect(faults[0]).not.toMatch(/minio|sec%ret/)
})

test.each<Record<string, string>>([
  {},
  { AWS_ACCESS_KEY_ID: 'ID' },
  { AWS_SECRET_ACCESS_KEY: 'SECRET' },
])('a bucket without credentials is refused, given %j', more => {
  expect(() => read('s3://pictures', more)).toThrow('needs credentials')
})
